/** One field of a form, made from a member of a JSON schema. */
export interface Field {
  name: string;
  kind: "text" | "number" | "integer" | "flag" | "choice" | "time" | "json";
  isRequired: boolean;
  isNullable: boolean;
  description?: string;
  choices?: string[];
  initial: string;
}

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema | boolean>;
  required?: string[];
  enum?: unknown[];
  format?: string;
  description?: string;
  default?: unknown;
  anyOf?: Schema[];
}

/** Reads a schema that came as text or as an object; undefined when it is not one. */
export function readSchema(schema: string | object | undefined): Schema | undefined {
  if (schema === undefined) return undefined;
  try {
    const value: unknown = typeof schema === "string" ? JSON.parse(schema) : schema;
    return value !== null && typeof value === "object" ? value as Schema : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of an object's schema. What a form cannot show well is edited as JSON, inside the form. */
export function fieldsOf(schema: string | object | undefined): Field[] {
  const root = readSchema(schema);
  if (!root?.properties) return [];
  const required = new Set(root.required ?? []);
  return Object.entries(root.properties).map(([name, member]) => field(name, typeof member === "object" ? member : {}, required.has(name)));
}

function field(name: string, member: Schema, isRequired: boolean): Field {
  const types = [member.type ?? []].flat();
  const isNullable = types.includes("null");
  // A number that may also come as a string is a number.
  const type = types.find(t => t === "integer" || t === "number") ?? types.find(t => t !== "null");
  const kind = member.enum ? "choice"
    : type === "string" ? (member.format === "date-time" ? "time" : "text")
    : type === "integer" ? "integer"
    : type === "number" ? "number"
    : type === "boolean" ? "flag"
    : "json";
  const choices = member.enum?.filter(v => v !== null).map(String);
  return { name, kind, isRequired, isNullable, description: member.description, choices, initial: initial(member, kind, isRequired, choices) };
}

function initial(member: Schema, kind: Field["kind"], isRequired: boolean, choices: string[] | undefined): string {
  if (member.default !== undefined && member.default !== null) return typeof member.default === "string" ? member.default : JSON.stringify(member.default);
  if (kind === "flag") return "false";
  if (kind === "choice" && isRequired) return choices?.[0] ?? "";
  if (kind === "json" && isRequired) return [member.type ?? []].flat().includes("array") ? "[]" : "{}";
  return "";
}

/** What the form says, as JSON text, or the first field that cannot be read. Numbers keep their digits. */
export function toJson(fields: Field[], values: Record<string, string>): { json: string } | { field: string; message: string } {
  const members: string[] = [];
  for (const f of fields) {
    const text = values[f.name] ?? "";
    if (text === "" && !(f.kind === "text" && f.isRequired)) {
      if (f.isRequired && !f.isNullable) return { field: f.name, message: "needs a value" };
      if (f.isRequired) members.push(`${JSON.stringify(f.name)}:null`);
      continue;
    }
    const value = jsonOf(f.kind, text);
    if (value === undefined) return { field: f.name, message: problem(f.kind) };
    members.push(`${JSON.stringify(f.name)}:${value}`);
  }
  return { json: `{${members.join(",")}}` };
}

function jsonOf(kind: Field["kind"], text: string): string | undefined {
  switch (kind) {
    case "integer": return /^-?(0|[1-9]\d*)$/.test(text.trim()) ? text.trim() : undefined;
    case "number": return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) ? text.trim() : undefined;
    case "flag": return text === "true" ? "true" : "false";
    case "json": return isJson(text) ? text : undefined;
    default: return JSON.stringify(text);
  }
}

function problem(kind: Field["kind"]): string {
  return kind === "integer" ? "must be a whole number" : kind === "number" ? "must be a number" : "must be JSON";
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The values a form starts with when there is data already. */
export function valuesFrom(fields: Field[], data: string | undefined): Record<string, string> {
  let given: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(data ?? "{}");
    if (value !== null && typeof value === "object" && !Array.isArray(value)) given = value as Record<string, unknown>;
  } catch {
    // Data that is no object starts the form empty; the text mode shows it as it is.
  }
  return Object.fromEntries(fields.map(f => {
    const value = given[f.name];
    return [f.name, value === undefined ? f.initial : value === null ? "" : typeof value === "string" && f.kind !== "json" ? value : JSON.stringify(value)];
  }));
}
