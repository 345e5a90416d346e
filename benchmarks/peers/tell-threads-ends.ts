// The two threads that send messages one by one.

import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { digestOf, paymentOf, type Payment } from "../actors/slot-actors.ts";

const { role, port } = workerData as { readonly role: "sender" | "receiver"; readonly port: MessagePort };
// So many are sent before others have their turn: more at once fill the port's queue, which is slower.
const inTurn = 1000;

if (role === "sender") {
  parentPort?.on("message", (messages: number) => {
    let sent = 0;
    const send = (): void => {
      for (const end = Math.min(messages, sent + inTurn); sent < end; sent++) port.postMessage(paymentOf(sent));
      if (sent < messages) setImmediate(send);
    };
    send();
  });
} else {
  let [count, sum, until] = [0, 0, 0];
  parentPort?.on("message", (messages: number) => ([count, sum, until] = [0, 0, messages]));
  port.on("message", (payment: Payment) => {
    sum += digestOf(payment);
    if (++count === until) parentPort?.postMessage(sum);
  });
}
