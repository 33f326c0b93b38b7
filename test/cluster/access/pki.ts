import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunDirectory } from '../run/runDirectory.ts';

const run = promisify(execFile);

export interface KeyPair {
  certificate: string;
  key: string;
}

/** One certificate authority for a cluster that lives for hours; every path is a PEM file. */
export interface Pki {
  ca: KeyPair;
  serviceAccountKey: string;
  /** A client certificate: the name is the Kubernetes user, the groups are its groups. */
  client(name: string, groups?: string[]): Promise<KeyPair>;
  server(name: string, addresses: string[]): Promise<KeyPair>;
}

export async function makePki(directory: RunDirectory): Promise<Pki> {
  const dir = directory.path('pki');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // An own, empty configuration: the system's adds extensions that differ from one distribution to the next.
  const config = directory.write(join('pki', 'openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');

  const make = async (file: string, subject: string, extensions: string[], signer?: KeyPair): Promise<KeyPair> => {
    const pair = { certificate: join(dir, `${file}.crt`), key: join(dir, `${file}.key`) };
    const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '30'];
    const names = ['-subj', subject, '-out', pair.certificate, '-keyout', pair.key];
    const by = signer === undefined ? [] : ['-CA', signer.certificate, '-CAkey', signer.key];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    await run('openssl', ['req', '-config', config, ...how, ...names, ...by, ...added]);
    return pair;
  };

  const ca = await make('ca', '/CN=workbench-test-cluster', [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign',
    'subjectKeyIdentifier=hash',
  ]);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serviceAccountKey = privateKey.export({ type: 'sec1', format: 'pem' });

  const leaf = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];
  return {
    ca,
    serviceAccountKey: directory.write(join('pki', 'service-accounts.key'), serviceAccountKey.toString()),
    client: (name, groups = []) => {
      const subject = [...groups.map((group) => `/O=${group}`), `/CN=${name}`].join('');
      return make(fileName(name), subject, [...leaf, 'extendedKeyUsage=clientAuth'], ca);
    },
    server: (name, addresses) => {
      const alternatives = addresses.map((address) => (/^[\d.]+$/.test(address) ? `IP:${address}` : `DNS:${address}`));
      const names = `subjectAltName=${alternatives.join(',')}`;
      return make(fileName(name), `/CN=${name}`, [...leaf, 'extendedKeyUsage=serverAuth', names], ca);
    },
  };
}

/** A user's name as a file name: kept readable, and unmistakable for the few names a test makes up. */
export function fileName(user: string): string {
  if (!/^[\w.:@-]+$/.test(user))
    throw new Error(`The user name "${user}" holds characters other than letters, digits and . : @ _ -`);
  return user.replaceAll(':', '+');
}

export function pem({ certificate, key }: KeyPair): { cert: string; key: string } {
  return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}
