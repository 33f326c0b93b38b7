import { ask, type Access } from './access/ask.ts';

/** As soon as its kubelet has registered it. */
export async function hasAddress(access: Access, node: string): Promise<boolean> {
  const { code, body } = await ask(access, `/api/v1/nodes/${node}`);
  if (code !== 200) return false;
  const { status } = JSON.parse(body) as { status: { addresses?: unknown[] } };
  return (status.addresses ?? []).length > 0;
}

/** Ready, and free of the taint that a new node carries until the controllers have seen it Ready. */
export async function isReady(access: Access, node: string): Promise<boolean> {
  const { code, body } = await ask(access, `/api/v1/nodes/${node}`);
  if (code !== 200) return false;
  const { spec, status } = JSON.parse(body) as {
    spec: { taints?: unknown[] };
    status: { conditions?: { type: string; status: string }[] };
  };
  const ready =
    status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  return ready && (spec.taints ?? []).length === 0;
}
