// Every function of the package with the types of its parameters and result: all that they mention must have a name.
import * as qstream from "qstream";
import * as testing from "qstream/testing";

declare function signatures<Module>(module: Module): {
  [Name in keyof Module]: Module[Name] extends (...parameters: infer P) => infer R ? { parameters: P; result: R } : 0;
};

export const everything = signatures({ ...qstream });
export const kit = signatures({ ...testing });
