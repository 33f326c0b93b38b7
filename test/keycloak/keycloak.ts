/** A Keycloak of a test's own, on the loopback, with the realm of realm.json: its people, its clients, its keys. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../cluster/machine/freePorts.ts';
import { claimRun } from '../cluster/run/claimRun.ts';
import { startComponent } from '../cluster/run/component.ts';
import type { Component } from '../cluster/run/component.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import type { RunDirectory } from '../cluster/run/runDirectory.ts';
import { until } from '../cluster/run/until.ts';
import { ADMINISTRATOR, disable, rotateKeys } from './administrator.ts';
import { javaArguments, keycloakDistribution } from './distribution.ts';
import { REALM, logIn, passwordOf, realmFor, subjectOf } from './realm.ts';

export interface KeycloakOptions {
  /** Of HTTP; default: a free one. It listens on 127.0.0.1 only, and with HTTP always: that is how a controller reaches it. */
  port?: number;
  /** HTTPS too, for browsers: on this port of 127.0.0.1, with the files of a certificate and its key. */
  https?: { port: number; certificate: string; key: string };
  /** Origin that it believes to be reached at, and that begins its issuer, such as https://id.example; default: http://127.0.0.1:PORT, or https://localhost:PORT. */
  hostname?: string;
  /** Origins of the pages to which it sends people back after the login; default: https://cloud.example. */
  portals?: string[];
  /** May Debian packages be installed? By default unless `--no-install` of `npm test` says no. */
  install?: boolean;
  report?: (line: string) => void;
}

export interface Keycloak {
  /** OIDC_ISSUER, to the letter. */
  issuer: () => string;
  /** Its keys on the loopback, whatever the issuer's name is. */
  jwksUrl: string;
  /** With which a person of the realm (alice, bob, or carol, who has the role `admin` of workbench-api) logs in. */
  password: (user: string) => string;
  /** The subject of that person's tokens. */
  subject: (user: string) => string;
  /** An access token, by password; of the client workbench-portal unless another of realm.json is named. */
  token: (user: string, client?: string) => Promise<string>;
  /** What the portal's page learns of who logged in; it has the API's audience too, which must not help. */
  idToken: (user: string) => Promise<string>;
  /** Tokens are signed with a new key from now on; the older ones are published until they are retired. */
  rotateKeys: () => Promise<{ retire: () => Promise<void> }>;
  /** Takes the account away: no further token; those that are out last until their end. */
  disable: (user: string) => Promise<void>;
  /** It is away, and keeps what it has. */
  halt: () => Promise<void>;
  /** It is back with the same people and keys, under another name if one is given; resolves when it answers. */
  resume: (hostname?: string) => Promise<void>;
  /** Ends it for good; what a killed test leaves is ended by the run's janitor. */
  stop: () => Promise<void>;
}

/** With two or three clusters beside it on two cores it takes a minute. */
const PATIENCE_S = 240;

/**
 * Starts one: 10 to 25 s, once more to fetch and build it on a new machine. Whoever starts it stops it:
 *
 *     const keycloak = await startKeycloak({ portals: [cluster.ingressUrl] });
 *     await install(cluster, { env: { OIDC_ISSUER: keycloak.issuer(), OIDC_AUDIENCE: 'workbench-api' } });
 *     await fetch(url, { headers: { authorization: `Bearer ${await keycloak.token('alice')}` } });
 *     await keycloak.stop();
 *
 * A browser logs in at `issuer()` as the client `workbench-portal` (authorization code, PKCE S256, no secret).
 */
export async function startKeycloak(options: KeycloakOptions = {}): Promise<Keycloak> {
  const report = options.report ?? elapsedReport();
  const distribution = await keycloakDistribution(report, options.install);
  const port = options.port ?? (await freePorts(['http'], ['127.0.0.1'])).http;
  const url = `http://127.0.0.1:${port}`;
  const realm = `${url}/realms/${REALM}`;
  let hostname = options.hostname ?? (options.https ? `https://localhost:${options.https.port}` : url);

  const login = (username: string, client = 'workbench-portal') =>
    logIn(realm, { client, username, password: passwordOf(username) });

  const claim = claimRun('simulated', undefined, report);
  return claim.orEnd(async () => {
    const home = homeOf(claim.run, distribution, options.portals);
    let component: Component;
    const resume = async (name = hostname) => {
      hostname = name;
      report(`starting Keycloak at ${url} in ${claim.run.dir}`);
      component = run(claim.run, { distribution, home, port, hostname, https: options.https });
      await until('Keycloak', PATIENCE_S, [component], async () => (await fetch(realm)).ok);
      report('Keycloak answers');
    };
    await resume();
    return {
      issuer: () => `${hostname}/realms/${REALM}`,
      jwksUrl: `${realm}/protocol/openid-connect/certs`,
      password: passwordOf,
      subject: subjectOf,
      token: async (user, client) => (await login(user, client)).access,
      idToken: async (user) => (await login(user)).id,
      rotateKeys: () => rotateKeys(url, REALM),
      disable: (user) => disable(url, REALM, user),
      async halt() {
        process.kill(component.pid, 'SIGTERM');
        await until('The end of Keycloak', PATIENCE_S, [], () => component.failure() !== undefined);
      },
      resume,
      stop: () => claim.end(),
    };
  });
}

/** Its programs are everybody's, its data this run's. */
function homeOf(run: RunDirectory, distribution: string, portals = ['https://cloud.example']): string {
  const home = run.path('keycloak');
  mkdirSync(join(home, 'data', 'import'), { recursive: true });
  for (const part of ['lib', 'conf', 'providers', 'themes']) symlinkSync(join(distribution, part), join(home, part));
  writeFileSync(join(home, 'data', 'import', 'realm.json'), JSON.stringify(realmFor(portals)));
  return home;
}

interface Run {
  distribution: string;
  home: string;
  port: number;
  hostname: string;
  https: KeycloakOptions['https'];
}

function run(directory: RunDirectory, { distribution, home, port, hostname, https }: Run): Component {
  const secure = https && [
    `--https-port=${https.port}`,
    `--https-certificate-file=${https.certificate}`,
    `--https-certificate-key-file=${https.key}`,
  ];
  const args = [
    'start',
    '--optimized',
    '--import-realm',
    '--cache=local',
    '--http-enabled=true',
    '--http-host=127.0.0.1',
    `--http-port=${port}`,
    `--hostname=${hostname}`,
    ...(secure ?? []),
  ];
  return startComponent(directory, {
    name: 'keycloak',
    command: 'java',
    args: [`-Djava.io.tmpdir=${directory.path('tmp')}`, ...javaArguments(distribution, home, args)],
    env: { KC_BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR.username, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMINISTRATOR.password },
  });
}
