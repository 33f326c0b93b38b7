/** From the zod schemas to the schema that a CustomResourceDefinition may hold: a structural one, without JSON Schema's extras. */
import { z } from 'zod';
import { classSpecSchema } from '../../src/workbench/class.ts';
import { specSchema, statusSchema } from '../../src/workbench/resource.ts';

type Json = Record<string, unknown>;

/** What the API server does not take, or what says nothing: bounds of JavaScript's integers, closed objects, no properties. */
function structural(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structural);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node as Json).filter(([key, value]) => {
    if (key === 'additionalProperties' && value === false) return false;
    return !((key === 'minimum' || key === 'maximum') && Math.abs(value as number) === Number.MAX_SAFE_INTEGER);
  });
  const schema: Json = Object.fromEntries(entries.map(([key, value]) => [key, structural(value)]));
  // An int-or-string has no type; the API server takes the marker alone, and the CEL rule bounds the text.
  if (schema['x-kubernetes-int-or-string']) schema.maxLength = 32;
  return schema;
}

export function crdSchema(schema: typeof specSchema | typeof statusSchema | typeof classSpecSchema): unknown {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }));
}
