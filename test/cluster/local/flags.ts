export const IDES = ['echo', 'jupyter'] as const;
export type Ide = (typeof IDES)[number];

export interface LocalFlags {
  down: boolean;
  help: boolean;
  install: boolean;
  kubeconfig?: string;
  ide?: Ide;
}

export const usage = `npm run local                           start a cluster, the controller and an Ingress; Ctrl-C ends it all
npm run local -- --ide jupyter          workbenches run a real JupyterLab; its image is built once, in two minutes or so.
                                        Without it they run "echo", a small page that starts in an instant
npm run local -- --no-install           without installing missing Debian packages
npm run local -- --kubeconfig FILE      on that cluster instead of one of its own
npm run local:down                      end what "npm run local" started (the same as --down)
npm run local -- --help                 this text`;

export function parseLocalFlags(args: string[]): LocalFlags {
  const flags: LocalFlags = { down: false, help: false, install: true };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--down') flags.down = true;
    else if (arg === '--help' || arg === '-h') flags.help = true;
    else if (arg === '--no-install') flags.install = false;
    else if (arg === '--kubeconfig') flags.kubeconfig = fileAfter(rest.shift());
    else if (arg.startsWith('--kubeconfig=')) flags.kubeconfig = fileAfter(arg.slice('--kubeconfig='.length));
    else if (arg === '--ide') flags.ide = ideAfter(rest.shift());
    else if (arg.startsWith('--ide=')) flags.ide = ideAfter(arg.slice('--ide='.length));
    else throw new Error(`There is no flag "${arg}".\n${usage}`);
  }
  if (flags.ide !== undefined && flags.kubeconfig !== undefined) {
    throw new Error('--ide is for a cluster of its own: with --kubeconfig, name an image in WORKBENCH_IMAGE instead.');
  }
  return flags;
}

function ideAfter(name: string | undefined): Ide {
  const ide = IDES.find((known) => known === name);
  if (ide === undefined) throw new Error(`--ide wants one of ${IDES.join(', ')} after it, not "${name ?? ''}".`);
  return ide;
}

function fileAfter(file: string | undefined): string {
  if (file === undefined || file === '' || file.startsWith('--')) {
    throw new Error('--kubeconfig wants the path of a kubeconfig after it.');
  }
  return file;
}
