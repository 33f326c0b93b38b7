import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { NAME, NAME_RULE, specSchema, statusSchema } from '../../src/workbench/resource.ts';
import { crdSchema } from './crd-schema.ts';

const crd = parse(readFileSync('crds/workbenches.yaml', 'utf8'));
const [version] = crd.spec.versions;
const { properties, ...root } = version.schema.openAPIV3Schema;

test('the CRD has the schema that REST bodies are checked by', () => {
  expect(properties.spec).toEqual(crdSchema(specSchema));
});

test('the CRD has the schema of the status that the controller writes, and a default that no controller would write', () => {
  const { default: unseen, ...status } = properties.status;
  expect(status).toEqual(crdSchema(statusSchema));
  expect(unseen).toMatchObject({ phase: 'Starting', observedGeneration: -1, reason: 'NotSeenYet' });
});

test('the CRD refuses the names that REST refuses', () => {
  expect(root['x-kubernetes-validations']).toEqual([
    { rule: `self.metadata.name.matches('${NAME.source}')`, message: NAME_RULE },
  ]);
});

test('kubectl shows owner, phase, reason, URL and age; digest and restart only when asked for more', () => {
  const columns = version.additionalPrinterColumns.map((column: { name: string; priority?: number }) => [
    column.name,
    column.priority ?? 0,
  ]);
  expect(columns).toEqual([
    ['Owner', 0],
    ['Phase', 0],
    ['Reason', 0],
    ['URL', 0],
    ['Age', 0],
    ['Image', 1],
    ['Restart', 1],
  ]);
  expect(version.selectableFields).toEqual([{ jsonPath: '.spec.owner' }, { jsonPath: '.spec.state' }]);
});
