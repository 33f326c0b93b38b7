import { describe, expect, test } from '@jest/globals';
import { describeConfig, describeManifest, MANIFEST_TYPE } from '../images/manifest.ts';
import { forInside } from '../images/npmClient.ts';

const layers = [
  { digest: 'sha256:aa', diffId: 'sha256:a0', size: 10 },
  { digest: 'sha256:bb', diffId: 'sha256:b0', size: 20 },
];

describe('the config of a test image', () => {
  test('says what a container runs, as whom and where', () => {
    const config = {
      user: '1000',
      entrypoint: ['/usr/local/bin/node', '/app/server.mjs'],
      workingDir: '/home/project',
      env: { PATH: '/usr/local/bin', EMPTY: '' },
      ports: [8888],
    };
    const layer = { created: '1970-01-01T00:00:00Z', created_by: 'test/images' };
    expect(describeConfig(config, layers, 'x64')).toEqual({
      created: '1970-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: {
        User: '1000',
        Entrypoint: ['/usr/local/bin/node', '/app/server.mjs'],
        WorkingDir: '/home/project',
        Env: ['PATH=/usr/local/bin', 'EMPTY='],
        ExposedPorts: { '8888/tcp': {} },
      },
      rootfs: { type: 'layers', diff_ids: ['sha256:a0', 'sha256:b0'] },
      history: [layer, layer],
    });
  });

  test('leaves out what is not given', () => {
    expect(describeConfig({ entrypoint: ['/pause'] }, [], 'arm64')).toMatchObject({
      architecture: 'arm64',
      config: { Entrypoint: ['/pause'] },
    });
    expect(JSON.stringify(describeConfig({ entrypoint: ['/pause'] }, [], 'arm64'))).not.toMatch(/User|Env|WorkingDir/);
  });

  test('refuses an architecture it has no name for', () => {
    expect(() => describeConfig({ entrypoint: ['/pause'] }, [], 'mips')).toThrow(/mips/);
  });
});

describe('the manifest of a test image', () => {
  test('names the config and the layers in their order', () => {
    expect(describeManifest({ digest: 'sha256:cc', size: 30 }, layers)).toEqual({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: 'sha256:cc', size: 30 },
      layers: [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:aa', size: 10 },
        { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:bb', size: 20 },
      ],
    });
  });
});

test('npm settings of the machine hold inside a build, apart from the paths', () => {
  const user = 'cafile=/etc/ca.pem\nprefix = /opt/x\nfund=false\n//registry.test/:_authToken=${NPM_TOKEN}\nx=${NONE}';
  expect(forInside(user, { NPM_TOKEN: 'abc' })).toEqual(['fund=false', '//registry.test/:_authToken=abc', 'x=${NONE}']);
});
