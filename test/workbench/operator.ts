/**
 * The controller's loop over a World: look, write what the plan says, publish. One write at a time, so that it can be
 * interrupted anywhere, and every write is judged before it is done.
 */
import { isOrphaning } from '../../src/workbench/claims.ts';
import { ownerOf } from '../../src/workbench/home.ts';
import { LABEL_UID, controllerOf, isOurs, uidOf } from '../../src/workbench/identity.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import { isReady } from '../../src/workbench/phase.ts';
import type { Reach } from '../../src/workbench/assess.ts';
import { plan } from '../../src/workbench/plan.ts';
import type { Plan, Snapshot } from '../../src/workbench/plan.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { isSame } from '../../src/workbench/same.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { buildStatus } from '../../src/workbench/status.ts';
import { isLeaving } from '../../src/workbench/steps.ts';
import type { Step } from '../../src/workbench/steps.ts';
import type { Answer, World } from './world.ts';

interface Pass extends Plan {
  snapshot: Snapshot;
  /** What is still to be written. */
  left: Step[];
  hasFailed: boolean;
}

export class Operator {
  /** What must never be, in words. */
  readonly violations: string[] = [];
  /** All that was tried, with what came of it. */
  readonly writes: { step: Step; answer: Answer | 'not alive' }[] = [];
  readonly #world: World;
  readonly #settings: Settings;
  readonly #name: string;
  #pass: Pass | undefined;
  /** UIDs of what was ours, was disowned and is taken back. */
  readonly #adopted = new Set<string>();
  /** The Pod whose endpoint is being asked. */
  #asked: string | undefined;

  constructor(world: World, settings: Settings, name: string) {
    this.#world = world;
    this.#settings = settings;
    this.#name = name;
  }

  /** The next thing of a pass: its look and plan, one of its writes, or its status. @returns the pass that has ended, if it has */
  advance(): Plan | undefined {
    const pass = this.#pass;
    if (!pass) {
      this.#pass = this.#look();
      return undefined;
    }
    const step = pass.left.shift();
    if (step) {
      // After a failure nothing more is made, but what is to go still goes.
      if (!(pass.hasFailed && step.do === 'create')) pass.hasFailed = !this.#write(step, pass) || pass.hasFailed;
      return undefined;
    }
    if (!pass.hasFailed) this.#publish(pass);
    this.#pass = undefined;
    return pass;
  }

  /** To the end of the pass under way, or of a new one. */
  pass(): Plan {
    for (;;) {
      const ended = this.advance();
      if (ended) return ended;
    }
  }

  /** All that is not written is forgotten. */
  crash(): void {
    this.#pass = undefined;
    this.#asked = undefined;
  }

  /** Passes until nothing happens any more, whatever time goes by. Whatever does not come to rest is a violation. */
  settle(): void {
    if (this.#pass) this.pass();
    let idle = 0;
    for (let round = 0; idle < 3; round += 1) {
      if (round > 60) return void this.violations.push('it does not come to rest');
      const before = this.#world.version;
      const { recheckAfterMs, verify } = this.pass();
      this.#world.tick();
      const isAnswered = verify !== undefined && this.#reach()?.podUID === verify.pod.metadata.uid;
      if (this.#world.version !== before || isAnswered) idle = 0;
      else if (recheckAfterMs === undefined) break;
      else {
        this.#world.now += recheckAfterMs;
        idle += 1;
      }
    }
    const { version } = this.#world;
    this.#world.now += 24 * 3_600_000;
    this.pass();
    if (this.#world.version !== version)
      this.violations.push('it rested, and writes again without being told when to look');
  }

  #look(): Pass {
    const snapshot = this.#world.snapshot(this.#name);
    const reach = this.#reach();
    const decision = plan({ ...snapshot, ...(reach ? { reach } : {}) }, this.#settings, this.#world.now);
    const { verdict, verify, steps } = decision;
    if (verify) this.#asked = verify.pod.metadata.uid;
    else if (verdict?.phase !== 'Running' || snapshot.workbench?.status?.phase === 'Running') this.#asked = undefined;
    return { ...decision, snapshot, left: [...steps], hasFailed: false };
  }

  /** The endpoint leads to the Pod that was asked for when that is ready and there is a path. */
  #reach(): Reach | undefined {
    const pod = this.#world.list('Pod').find(({ metadata }) => metadata.uid === this.#asked);
    const hasPath = this.#world.get('Ingress', this.#name) !== undefined;
    return pod && isReady(pod) && !isLeaving(pod) && hasPath ? { podUID: pod.metadata.uid!, ok: true } : undefined;
  }

  /** @returns whether it was done */
  #write(step: Step, { snapshot }: Pass): boolean {
    const workbench = snapshot.workbench!;
    this.#judge(step, snapshot);
    const before = this.#world.version;
    const answer = 'ifAlive' in step && !this.#isAlive(workbench, step.do) ? 'not alive' : this.#send(step);
    this.writes.push({ step, answer });
    if (step.do === 'patch' && answer === 'done' && this.#world.version === before)
      this.violations.push(`a patch of ${step.kind} ${step.name} that changes nothing`);
    return answer === 'done' || (step.do === 'delete' && answer === 'not found');
  }

  #send(step: Step): Answer {
    const world = this.#world;
    if (step.do === 'create') return world.create(step.kind, step.object);
    if (step.do === 'patch') return world.patch(step.kind, step.name, step.uid, step.patch);
    return world.delete(step.kind, step.name, step.uid, { force: step.force === true });
  }

  #isAlive({ metadata }: Workbench, what: Step['do']): boolean {
    const live = this.#world.get('Workbench', metadata.name);
    if (live?.metadata.uid !== metadata.uid) return false;
    return what === 'create' ? !isLeaving(live!) : !isOrphaning(live!);
  }

  #judge(step: Step, { workbench: owner, pods, service, ingress, claim }: Snapshot): void {
    const workbench = owner!;
    if (step.kind === 'PersistentVolumeClaim') {
      if (step.do === 'delete') this.violations.push(`a delete of somebody's files: ${step.name}`);
      if (step.do === 'patch' && ownerOf(claim!) !== workbench.spec.owner)
        this.violations.push(`a patch of ${step.name}, which is not of this owner`);
      return;
    }
    if (step.do === 'create') {
      if (!isOurs(step.object, workbench)) this.violations.push(`a ${step.kind} that nobody owns`);
      // Not even one that is going: both would write to the same files.
      const others = step.kind === 'Pod' ? this.#world.list('Pod').filter((pod) => isOurs(pod, workbench)) : [];
      if (others.length > 0) this.violations.push(`a Pod beside ${others.map(({ metadata }) => metadata.name).join()}`);
      return;
    }
    const seen = [...pods, service, ingress].find((object) => object !== undefined && object.metadata.uid === step.uid);
    const isAdoption =
      step.do === 'patch' &&
      isUnclaimed(seen, workbench) &&
      step.patch.some(({ op, path }) => op === 'test' && path === '/metadata/resourceVersion') &&
      step.patch.at(-1)?.path === '/metadata/ownerReferences';
    // An adoption comes before whatever else is done to the object in the same pass.
    if (isAdoption) this.#adopted.add(step.uid);
    if (!(seen && (isOurs(seen, workbench) || this.#adopted.has(step.uid))))
      this.violations.push(`a ${step.do} of ${step.kind} ${step.name}, which is not ours`);
  }

  #publish({ snapshot, verdict }: Pass): void {
    const { workbench } = snapshot;
    if (!workbench || !verdict) return;
    const status = buildStatus(workbench, verdict, this.#settings, this.#world.now);
    const pod = snapshot.pods.find(({ metadata }) => metadata.uid === status.podUID);
    const isOwn = pod !== undefined && (isOurs(pod, workbench) || isUnclaimed(pod, workbench));
    const isServed = isOwn && isReady(pod) && !isLeaving(pod);
    if (status.phase === 'Running' && !(isServed && workbench.spec.state !== 'Stopped'))
      this.violations.push('Running without a ready Pod of its own');
    const path = this.#world.get('Ingress', this.#name);
    if (status.phase === 'Stopped' && path && isOurs(path, workbench)) this.violations.push('Stopped with a path');
    if (status.observedGeneration !== workbench.metadata.generation)
      this.violations.push('a status of another generation');
    if (isSame(workbench.status, status)) return;
    this.#world.patch('Workbench', this.#name, uidOf(workbench), [{ op: 'add', path: '/status', value: status }]);
  }
}

/** Of our making, and its owner reference was edited away. */
function isUnclaimed(object: KubeObject | undefined, workbench: Workbench): boolean {
  return object !== undefined && !controllerOf(object) && object.metadata.labels?.[LABEL_UID] === uidOf(workbench);
}
