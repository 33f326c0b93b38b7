import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import { startController, startControllerOnGiven } from './controller.ts';
import { endLocal } from './local/down.ts';
import { parseLocalFlags, usage } from './local/flags.ts';
import { startLocalCluster } from './local/start.ts';
import { elapsedReport } from './run/elapsedReport.ts';
import { isInterrupted, onInterrupt } from './run/interrupt.ts';

/** `npm run local`: everything on this machine until Ctrl-C; `npm run local:down` ends it from elsewhere. */
const local = fileURLToPath(new URL('../../.local', import.meta.url));

async function main(): Promise<void> {
  const flags = parseLocalFlags(process.argv.slice(2));
  const report = elapsedReport();
  if (flags.help) {
    console.log(usage);
    return;
  }
  if (flags.down) {
    await endLocal(local, report);
    return;
  }
  const { cluster, kubeconfig, kubectl } = await startLocalCluster(flags, local, report);

  const isGiven = flags.kubeconfig !== undefined;
  const controller = await (isGiven
    ? startControllerOnGiven(cluster, report)
    : startController(cluster, report, flags));
  onInterrupt(() => controller.stop());

  console.log('Workbench Controller is ready');
  console.log(`  REST        ${controller.restUrl}`);
  console.log(`  Ingress     ${cluster.ingressUrl ?? 'none of ours'}`);
  if (cluster.registry !== undefined) console.log(`  Registry    ${cluster.registry}`);
  console.log(`  kubeconfig  ${relative(process.cwd(), kubeconfig)}`);
  if (kubectl !== undefined) console.log(`  kubectl     ${relative(process.cwd(), kubectl)}`);
  console.log(`  try         curl -XPOST '${controller.restUrl}/workbenches?user_id=alice'`);
  for (const limit of controller.limits) console.log(`Note: ${limit}`);
  console.log(isGiven ? 'Ctrl-C ends it.' : 'Ctrl-C or "npm run local:down" ends it all.');
  // The components are detached and keep no process alive; a signal ends this one.
  setInterval(() => {}, 2 ** 30);
}

try {
  await main();
} catch (error) {
  if (!isInterrupted()) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
