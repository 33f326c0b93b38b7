/** All that is there of one workbench, in a form in which two runs of one scenario can be compared. */
import { podName, serviceName, stamp } from '../../src/workbench/identity.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import type { Seen } from '../observer.ts';
import { DISKS } from './disk.ts';

/** Differs from run to run and is nobody's decision. */
const VARYING: readonly [RegExp, string][] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/"\d+\.\d+\.\d+\.\d+"/g, '"ADDRESS"'],
  [/simulated-\d/g, 'NODE'],
  [new RegExp(`"${DISKS}-[^"]+"`, 'g'), '"DISK"'],
];

/** @param owner whose plan it is */
export function endState(objects: readonly Seen[], id: string, owner: string): Pick<Seen, 'kind'>[] {
  const workbench = objects.find(({ kind }) => kind === 'Workbench') as Workbench | undefined;
  const ofWorkbench: [string, string][] = workbench
    ? [
        [podName(workbench), 'POD'],
        [serviceName(workbench), 'SERVICE'],
        // Made from the claim's name too, where there is one.
        [stamp(workbench), 'STAMP'],
        [workbench.metadata.uid!, 'ITS UID'],
        ...objects
          .filter(({ kind }) => kind === 'Pod')
          .map(({ metadata }) => [metadata.uid!, 'THE UID OF ITS POD'] as [string, string]),
        ...(workbench.spec.run ? ([[workbench.spec.run, 'RUN']] as [string, string][]) : []),
      ]
    : [];
  const names: [string, string][] = [
    ...ofWorkbench,
    // A claim may be left alone, and may have been another workbench's; whose it is now has to be right.
    ...objects
      .filter(({ kind }) => kind === 'PersistentVolumeClaim')
      .map(({ metadata }) => [metadata.name, 'CLAIM'] as [string, string]),
    ...objects.slice(0, 1).map(({ metadata }) => [metadata.namespace!, 'NAMESPACE'] as [string, string]),
    [id, 'ID'],
    [owner, 'OWNER'],
  ];
  return objects.map(({ metadata, ...object }) => {
    const {
      resourceVersion: _,
      managedFields: __,
      ...kept
    } = metadata as KubeObject['metadata'] & { managedFields?: unknown };
    let text = JSON.stringify({ metadata: kept, ...object });
    for (const [name, word] of names) text = text.replaceAll(name, word);
    for (const [pattern, word] of VARYING) text = text.replaceAll(pattern, word);
    return JSON.parse(text) as Pick<Seen, 'kind'>;
  });
}
