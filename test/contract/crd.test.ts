import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { classSpecSchema } from '../../src/workbench/class.ts';
import { NAME, NAME_RULE, specSchema, statusSchema } from '../../src/workbench/resource.ts';
import { crdSchema } from './crd-schema.ts';

const [workbenches, classes] = parseAllDocuments(readFileSync('crds/workbenches.yaml', 'utf8')).map((document) =>
  document.toJS(),
);
const [version] = workbenches.spec.versions;
const { properties, ...root } = version.schema.openAPIV3Schema;

test('the CRD has the schema that REST bodies are checked by', () => {
  expect(properties.spec).toEqual(crdSchema(specSchema));
});

test('the CRD has the schema of the status that the controller writes, and a default that no controller would write', () => {
  const { default: unseen, ...status } = properties.status;
  expect(status).toEqual(crdSchema(statusSchema));
  expect(unseen).toMatchObject({ phase: 'Starting', observedGeneration: -1, reason: 'NotSeenYet' });
});

test('the CRD of classes has the schema that the controller reads them by', () => {
  expect(classes.spec.versions[0].schema.openAPIV3Schema.properties.spec).toEqual(crdSchema(classSpecSchema));
});

test('the CRD refuses the names that REST refuses', () => {
  expect(root['x-kubernetes-validations']).toEqual([
    { rule: `self.metadata.name.matches('${NAME.source}')`, message: NAME_RULE },
  ]);
});

test('kubectl shows owner, phase, reason, URL and age; digest, class, restart and newer image only when asked for more', () => {
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
    ['Class', 1],
    ['Restart', 1],
    ['Newer', 1],
  ]);
  expect(version.selectableFields).toEqual([{ jsonPath: '.spec.owner' }, { jsonPath: '.spec.state' }]);
});
