/**
 * Every reason that a status can give, with what it means and what to do: shown on the state page, and equal to the README's
 * table by a test. Reasons of a kubelet that are not here are shown with its own message.
 */
export interface Advice {
  means: string;
  todo: string;
}

const wait = 'Wait.';
const image = 'Check that the image is pushed, that its tag is right, and that the cluster may pull it.';
const process = 'Mend the image or its settings; the message has the last line that it wrote.';
const refused = 'The runtime refuses the container; the message says why.';
const policy = 'Show the message to an administrator of the cluster.';

export const REASONS: Readonly<Record<string, Advice>> = {
  NotSeenYet: {
    means: 'No controller has looked at it.',
    todo: 'Check that it is in the namespace that the controller serves.',
  },
  Creating: { means: 'The Pod is being made.', todo: wait },
  Replacing: { means: 'The Pod is made anew after an edit, or with a newer image.', todo: wait },
  ClusterTrouble: {
    means: 'The API server fails at a write; it is tried again.',
    todo: 'Wait; if it lasts, show the message to an administrator of the cluster.',
  },
  Scheduling: { means: 'The Pod waits for the scheduler.', todo: wait },
  ContainerCreating: { means: 'The node pulls the image and mounts the volumes.', todo: wait },
  NotReady: { means: 'The process runs and does not answer on its port.', todo: wait },
  EndpointPending: { means: 'The Pod is ready, and the Ingress does not lead to it yet.', todo: wait },
  EndpointUnreachable: {
    means: 'The Ingress still does not lead to it after `WB_VERIFY_TIMEOUT`; the message has what was seen.',
    todo: 'Check the Ingress controller, `INGRESS_CLASS` and `BASE_URL`; it clears itself.',
  },
  Unguarded: {
    means: 'Browsers have to log in here, and its public URL opens without; whoever knows it can come in.',
    todo: "Name the guard's middleware in `INGRESS_ANNOTATIONS`; it clears itself.",
  },
  Unschedulable: {
    means: 'No node can take the Pod. Failed after `WB_UNSCHEDULABLE_AFTER`.',
    todo: 'Ask for less, or add nodes.',
  },
  ErrImagePull: { means: 'A first attempt to pull the image failed.', todo: image },
  ImagePullBackOff: { means: 'The image cannot be pulled.', todo: image },
  ErrImageNeverPull: { means: 'The node may not pull the image, and does not have it.', todo: image },
  ImageInspectError: { means: 'The node cannot read the image.', todo: image },
  RegistryUnavailable: { means: 'The registry does not answer.', todo: image },
  SignatureValidationFailed: { means: "The image's signature is not accepted.", todo: image },
  InvalidImageName: { means: 'The image reference cannot be read.', todo: image },
  ImageNotAllowed: {
    means: '`spec.image` is not among those that its class, or `WB_ALLOWED_IMAGES`, allows.',
    todo: 'Choose another image, or ask the administrator.',
  },
  ClassMissing: {
    means: 'There is no `WorkbenchClass` of this name.',
    todo: 'Choose another class (`kubectl get wbc`), or ask the administrator.',
  },
  VersionMissing: {
    means: 'Its class has no version of this name; the message has those that it has.',
    todo: 'Choose another version, or none.',
  },
  VersionAndImage: { means: 'It names both a version and an image.', todo: 'Take one of them away.' },
  UserLimit: {
    means: 'The owner may have, or run, no more at once (`WB_USER_…`); the message says of what.',
    todo: 'Stop or delete another one; it starts by itself then.',
  },
  StripNotSupported: {
    means: 'Its class needs its path taken off by the Ingress, which nothing here does.',
    todo: 'Choose another class, or ask an administrator for `INGRESS_STRIP_ANNOTATIONS`.',
  },
  StorageNotAllowed: {
    means: '`spec.storage` is set, and its class has no storage.',
    todo: 'Leave it out, or choose a class that has it.',
  },
  VolumeMissing: {
    means: 'Its owner has no volume of the name in `spec.storage.claimName`.',
    todo: 'See `GET /volumes`, or leave the name out.',
  },
  VolumeInUse: {
    means: 'Another Pod mounts its volume, which serves one at a time.',
    todo: 'Stop the other one; it starts by itself then.',
  },
  VolumePending: {
    means: 'Its volume has no storage yet. Failed after `WB_UNSCHEDULABLE_AFTER`.',
    todo: "Show the message to an administrator: the class's `storageClassName` is a usual cause.",
  },
  VolumeTerminating: {
    means: 'Somebody deletes its volume; a new one, empty, follows.',
    todo: 'Wait; if it lasts, see who still mounts it: `kubectl describe pvc`.',
  },
  VolumeLost: {
    means: 'What its volume was made of is gone.',
    todo: 'Ask the administrator to bring it back, or delete the volume (`DELETE /volumes/…`).',
  },
  VolumeCannotGrow: {
    means: 'The condition `VolumeResized`: the storage class cannot make it larger, or a quota forbids it.',
    todo: 'Take the size back, or move the files to a new workbench.',
  },
  VolumeCannotShrink: {
    means: 'The condition `VolumeResized`: no volume can become smaller.',
    todo: 'Take the size back.',
  },
  SizeNotAllowed: { means: 'It asks for more or less than its class allows.', todo: 'Ask for another size.' },
  ReservedEnvironment: { means: "`spec.env` sets a name of the controller's.", todo: 'Rename the variable.' },
  CreateContainerConfigError: { means: refused, todo: 'Mend the image.' },
  CreateContainerError: { means: refused, todo: 'Mend the image.' },
  RunContainerError: { means: refused, todo: 'Mend the image.' },
  PostStartHookError: { means: refused, todo: 'Mend the image.' },
  OOMKilled: {
    means: 'The process wanted more memory than its limit.',
    todo: 'Raise `requested_memory`, or use less.',
  },
  CrashLoopBackOff: { means: 'The process ends with an error again and again.', todo: process },
  Exited: { means: 'The process ends by itself without an error.', todo: process },
  QuotaExceeded: {
    means: "The namespace's quota is used up.",
    todo: 'Stop something, ask for less, or raise the quota.',
  },
  LimitRangeExceeded: {
    means: "It asks for more or less than the namespace's limits allow.",
    todo: 'Ask for another size.',
  },
  PodSecurityViolation: { means: 'Pod Security does not admit the Pod.', todo: policy },
  AdmissionRefused: { means: 'A policy or a webhook of the cluster refuses an object.', todo: policy },
  Refused: { means: 'The API server refuses an object.', todo: policy },
  PermissionDenied: { means: 'The controller lacks a right.', todo: 'Apply its Roles again.' },
  NamespaceMissing: {
    means: 'The namespace of the workbenches does not exist.',
    todo: 'Create it, or mend `WORKBENCH_NAMESPACE`.',
  },
  NamespaceTerminating: { means: 'The namespace of the workbenches is being deleted.', todo: wait },
  NameConflict: { means: "Somebody else's object bears the name.", todo: 'Rename or remove that object.' },
  PredecessorTerminating: { means: "The earlier start's Pod, or a namesake's path, is going away.", todo: wait },
  PodTerminating: { means: 'The Pod is going away and is replaced.', todo: wait },
  Stopping: { means: 'It is on its way down.', todo: wait },
  Evicted: { means: 'The node gave the Pod up; it is replaced.', todo: wait },
  PodFailed: {
    means: 'The Pod ended for good; it is replaced.',
    todo: 'Wait; if it comes back, `kubectl get events` may say why: writing more than `WB_HOME_LIMIT` is a usual cause.',
  },
  NodeLost: {
    means: 'The node does not report.',
    todo: 'Wait for it or remove it; `WB_FORCE_DELETE_AFTER` does not wait for ever.',
  },
};

/** A reason may be anybody's word, "constructor" for one. */
export function adviceFor(reason: string | undefined): Advice | undefined {
  return reason !== undefined && Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined;
}
