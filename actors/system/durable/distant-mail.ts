import type { NodeMessages, NodeService } from "../distant/node-link.ts";
import type { EntityReference } from "../entities.ts";
import { durableName, NumberedEnvelope } from "./durable-envelopes.ts";
import type { DurableActors } from "./durable-actors.ts";
import type { DistantMail } from "./durable-mail.ts";

/** A message between durable actors of two nodes, as it travels. */
interface TravellingMail {
  readonly to: EntityReference;
  readonly from: EntityReference;
  readonly number: number;
  readonly name: string;
  readonly payload: unknown;
}

interface TravellingReceipt {
  readonly sender: string;
  readonly receiver: string;
  readonly number: number;
}

const names = { mail: "durable-mail", receipt: "durable-receipt" } as const;

/** Mail to durable actors of other nodes, by what nodes say to each other. It may get lost on its way: then it is sent again. */
export function mailOver(nodes: Pick<NodeMessages, "offerHome">): DistantMail {
  return {
    send({ to, sender, number, message, payload }) {
      const mail = { to, from: sender as EntityReference, number, name: message, payload } satisfies TravellingMail;
      nodes.offerHome(to.key, names.mail, mail);
    },
    acknowledge(sender, receiver, number) {
      const receipt = { sender: durableName(sender), receiver: durableName(receiver), number };
      nodes.offerHome(sender.key, names.receipt, receipt satisfies TravellingReceipt);
    },
  };
}

/** What a node with durable actors takes from others. */
export function mailServices(durable: () => DurableActors | undefined): Readonly<Record<string, NodeService>> {
  return {
    [names.mail]({ to, from, number, name, payload }: TravellingMail) {
      const sender = { owner: from, name: durableName(from) };
      durable()?.mail.receive(new NumberedEnvelope(to, sender, number, { name, payload }));
    },
    [names.receipt]({ sender, receiver, number }: TravellingReceipt) {
      durable()?.mail.acknowledged(sender, receiver, number);
    },
  };
}
