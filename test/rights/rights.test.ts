/**
 * Least rights, shown by use: what the whole suite's controllers have asked of their API servers is what deploy/ grants, and
 * nothing is granted that none of them needed. Run by `npm test` after everything else.
 */
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { AuditedRight } from '../cluster/access/auditSummary.ts';

const folder = process.env['WB_TEST_AUDIT']!;

/** The controller as a process of a test, several side by side, and as a Pod. */
const CONTROLLERS = /^(workbench-controller(-\d+)?|system:serviceaccount:workbench-system:workbench-controller)$/;

interface Role {
  metadata: { namespace: string };
  rules: { resources: string[]; verbs: string[] }[];
}

const ROLES = ['deploy/controller/roles.yaml', 'deploy/registry-secrets/role.yaml'];
const documents = ROLES.flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')));
const granted = documents.flatMap((document) => {
  const { metadata, rules = [] } = document.toJS() as Partial<Role> & Pick<Role, 'metadata'>;
  return rules.flatMap(({ resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${metadata.namespace} ${resource} ${verb}`)),
  );
});

const clusters = readdirSync(folder);
const used = new Set(
  clusters
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as AuditedRight[])
    .filter(({ user }) => CONTROLLERS.test(user))
    .map(({ namespace, resource, verb }) => `${asDeployed(namespace)} ${resource} ${verb}`),
);

/** Tests give namespaces names of their own. */
function asDeployed(namespace: string): string {
  return namespace.endsWith('-system') ? 'workbench-system' : 'workbenches';
}

test('every cluster of the suite has left its audit', () => {
  process.stderr.write(`${clusters.length} clusters, ${used.size} kinds of requests\n`);
  expect(clusters.length).toBeGreaterThan(8);
});

test('nothing was asked that is not granted', () => {
  expect([...used].filter((right) => !granted.includes(right)).toSorted()).toEqual([]);
});

test('nothing is granted that was not asked, but for what OwnerReferencesPermissionEnforcement wants of who sets owner references', () => {
  const unused = granted.filter((right) => !used.has(right));
  expect(unused).toEqual(['workbenches workbenches/finalizers update', 'workbenches services delete']);
});
