/** A schema of any library that follows Standard Schema (standardschema.dev): zod, valibot, arktype and others. */
export interface StandardSchema<out Out = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Out> | Promise<StandardResult<Out>>;
  };
}

export type StandardResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Where in an object an issue is (`a.b.0`), or undefined for the object as a whole. */
export function issuePath(issue: StandardIssue): string | undefined {
  if (issue.path === undefined || issue.path.length === 0) return undefined;
  return issue.path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}
