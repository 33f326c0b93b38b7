/** What people, mishaps, time and the controller itself do to a world, by name: so that a sequence of them can be read. */
import { LABEL_UID } from '../../src/workbench/identity.ts';
import type { Ingress, KubeObject, Pod, Service } from '../../src/workbench/objects.ts';
import { buildPod } from '../../src/workbench/pod.ts';
import type { Workbench, WorkbenchSpec } from '../../src/workbench/resource.ts';
import type { ChildKind } from '../../src/workbench/steps.ts';
import { Operator } from './operator.ts';
import { NOW, settings } from './sample.ts';
import { World } from './world.ts';

export const NAME = 'genome';
const KINDS: ChildKind[] = ['Pod', 'Service', 'Ingress'];

export class Stage {
  readonly world = new World(NOW);
  readonly operator = new Operator(this.world, settings, NAME);
  #runs = 0;

  get workbench(): Workbench | undefined {
    return this.world.get('Workbench', NAME);
  }

  /** Those that bear the UID of the workbench that is there. */
  children(kind: ChildKind): KubeObject[] {
    const uid = this.workbench?.metadata.uid;
    return this.world.list(kind).filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  }

  create(): void {
    const object = {
      metadata: { name: NAME, namespace: settings.namespace },
      spec: { owner: 'alice', state: 'Running' },
    };
    this.world.create('Workbench', object);
  }

  spec(change: Partial<WorkbenchSpec>): void {
    this.world.edit('Workbench', NAME, ({ spec, ...workbench }) => ({ ...workbench, spec: { ...spec, ...change } }));
  }

  newRun(): string {
    return String((this.#runs += 1));
  }

  /** As REST does: what runs is left alone. */
  start(): void {
    const { spec, status } = this.workbench ?? {};
    const isUp = spec?.state !== 'Stopped' && status?.phase !== 'Failed';
    if (!isUp) this.spec({ state: 'Running', run: this.newRun() });
  }

  delete(finalizer = ''): void {
    const { uid } = this.workbench?.metadata ?? {};
    if (uid) this.world.delete('Workbench', NAME, uid, { finalizer });
  }

  remove(kind: ChildKind): void {
    for (const { metadata } of this.children(kind)) this.world.delete(kind, metadata.name, metadata.uid!);
  }

  change(kind: ChildKind, change: (object: KubeObject) => KubeObject): void {
    for (const { metadata } of this.children(kind)) this.world.edit(kind, metadata.name, change as never);
  }

  disown(kind: ChildKind): void {
    this.change(kind, (object) => ({ ...object, metadata: { ...object.metadata, ownerReferences: [] } }));
  }

  stranger(): void {
    if (!this.workbench) return;
    const { metadata, spec } = buildPod(this.workbench, settings);
    const copy = { metadata: { name: 'stranger', labels: metadata.labels! }, spec };
    this.world.create('Pod', copy as KubeObject);
  }

  /** All that belongs to nobody goes. */
  strangersGo(): void {
    for (const kind of KINDS)
      for (const { metadata } of this.world.list(kind))
        if (!metadata.ownerReferences?.length) this.world.delete(kind, metadata.name, metadata.uid!, { force: true });
  }
}

const edited = (object: Service | Ingress, spec: object) => ({ ...object, spec: { ...object.spec, ...spec } });
const evicted = (pod: KubeObject): Pod => ({ ...pod, status: { phase: 'Failed', reason: 'Evicted' } });

export const ACTIONS: Record<string, (stage: Stage) => unknown> = {
  create: (stage) => stage.create(),
  start: (stage) => stage.start(),
  stop: (stage) => stage.spec({ state: 'Stopped' }),
  'run again': (stage) => stage.spec({ state: 'Running', run: stage.newRun() }),
  'run on': (stage) => stage.spec({ state: 'Running' }),
  'more memory': (stage) => stage.spec({ resources: { memory: '4Gi' } }),
  'the usual memory': (stage) => stage.spec({ resources: {} }),
  'another image': (stage) => stage.spec({ image: 'registry.example/lab:v2' }),
  'a refused image': (stage) => stage.spec({ image: 'elsewhere.example/miner:latest' }),
  'the usual image': (stage) => stage.spec({ image: settings.image }),
  delete: (stage) => stage.delete('foregroundDeletion'),
  'delete in the background': (stage) => stage.delete(),
  'the Pod is deleted': (stage) => stage.remove('Pod'),
  'the Pod is evicted': (stage) => stage.change('Pod', evicted),
  'the Pod is unlabelled': (stage) =>
    stage.change('Pod', (pod) => {
      const { [LABEL_UID]: _, ...labels } = pod.metadata.labels ?? {};
      return { ...pod, metadata: { ...pod.metadata, labels } };
    }),
  'the Pod is disowned': (stage) => stage.disown('Pod'),
  'the Service is deleted': (stage) => stage.remove('Service'),
  'the Service is edited': (stage) => stage.change('Service', (one) => edited(one, { selector: { app: 'x' } })),
  'the Service is disowned': (stage) => stage.disown('Service'),
  'the Ingress is deleted': (stage) => stage.remove('Ingress'),
  'the Ingress is edited': (stage) => stage.change('Ingress', (one) => edited(one, { rules: [] })),
  'the Ingress is disowned': (stage) => stage.disown('Ingress'),
  'a stranger bears our labels': (stage) => stage.stranger(),
  'strangers go': (stage) => stage.strangersGo(),
  'others act': (stage) => stage.world.tick(),
  'a minute passes': (stage) => (stage.world.now += 60_000),
  'all comes to rest': (stage) => stage.operator.settle(),
  'the controller does one thing': (stage) => stage.operator.advance(),
  'the controller does a pass': (stage) => stage.operator.pass(),
  'the controller crashes': (stage) => stage.operator.crash(),
};
