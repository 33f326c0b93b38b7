import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface BinarySpec {
  name: string;
  /** Folder of the go.mod that pins it. */
  moduleDir: string;
  /** The Go package of its main function. */
  package: string;
  ldflags: string;
  /** Build tags. */
  tags?: string;
  /** How to ask one found on PATH for its version, and what the answer must contain; absent: never taken from PATH. */
  version?: { args: string[]; text: string };
}

const modules = fileURLToPath(new URL('../modules', import.meta.url));

/** The version that a go.mod pins: the only place where versions are written. */
export function pinnedVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .trim()
      .replace(/^require\s+/, '')
      .split(/\s+/);
    if (name === module && version !== undefined && version !== '=>') return version;
  }
  throw new Error(`The go.mod does not require ${module}.`);
}

function pinned(folder: string, module: string): string {
  return pinnedVersion(readFileSync(join(modules, folder, 'go.mod'), 'utf8'), module);
}

function kubernetes(name: string): BinarySpec {
  const version = pinned('kubernetes', 'k8s.io/kubernetes');
  const [major, minor] = version.slice(1).split('.');
  // Without these the API server calls itself v0.0.0, and clients and the kubelet draw conclusions from that.
  // The second package gives user agents their version, by which audit entries tell clients apart.
  const stamps = ['component-base/version', 'client-go/pkg/version'].flatMap((stamped) =>
    [`gitVersion=${version}`, `gitMajor=${major}`, `gitMinor=${minor}`].map((value) => `-X k8s.io/${stamped}.${value}`),
  );
  return {
    name,
    moduleDir: join(modules, 'kubernetes'),
    package: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: ['-s -w', ...stamps].join(' '),
    version: { args: name === 'kubectl' ? ['version', '--client'] : ['--version'], text: `${version}\n` },
  };
}

function other(name: string, folder: string, module: string, main: string, versionArgs: string[]): BinarySpec {
  const text = pinned(folder, module).slice(1);
  const version = { args: versionArgs, text };
  return { name, moduleDir: join(modules, folder), package: main, ldflags: '-s -w', version };
}

/** A program of ours, a dozen lines of Go. */
function own(name: string): BinarySpec {
  return { name, moduleDir: join(modules, name), package: '.', ldflags: '-s -w' };
}

/** In the order of building: the first ones are what every cluster needs, and they warm the compile cache of the rest. */
const binaries: BinarySpec[] = [
  other('etcd', 'etcd', 'go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/server/v3', ['--version']),
  kubernetes('kube-apiserver'),
  kubernetes('kube-controller-manager'),
  kubernetes('kube-scheduler'),
  kubernetes('kubectl'),
  own('kstatus'),
  other('kwok', 'kwok', 'sigs.k8s.io/kwok', 'sigs.k8s.io/kwok/cmd/kwok', ['--version']),
  kubernetes('kubelet'),
  kubernetes('kube-proxy'),
  own('pause'),
  other('traefik', 'traefik', 'github.com/traefik/traefik/v3', 'github.com/traefik/traefik/v3/cmd/traefik', [
    'version',
  ]),
  // It takes minutes to build and few clusters have it.
  {
    name: 'calico-felix',
    moduleDir: join(modules, 'felix'),
    package: 'github.com/projectcalico/calico/felix/cmd/calico-felix',
    ldflags: '-s -w',
  },
  // Judges the alert rules. Without the clients of all the clouds that Prometheus can ask for its targets.
  {
    name: 'promtool',
    moduleDir: join(modules, 'promtool'),
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    ldflags: '-s -w',
    tags: 'remove_all_sd',
  },
];

const onlyFor: Record<string, 'real' | 'simulated' | 'no cluster'> = {
  kwok: 'simulated',
  kubelet: 'real',
  'kube-proxy': 'real',
  pause: 'real',
  traefik: 'real',
  'calico-felix': 'real',
  promtool: 'no cluster',
};

export function binariesFor(nodes: 'real' | 'simulated', { networkPolicies = false } = {}): BinarySpec[] {
  return binaries.filter(
    ({ name }) => (onlyFor[name] ?? nodes) === nodes && (networkPolicies || name !== 'calico-felix'),
  );
}

export function binarySpec(name: string): BinarySpec {
  const found = binaries.find((binary) => binary.name === name);
  if (found === undefined)
    throw new Error(`There is no binary "${name}"; there are ${binaries.map((b) => b.name).join(', ')}.`);
  return found;
}
