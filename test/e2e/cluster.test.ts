/** The ground itself: a real cluster leaves nothing on the machine, however it ends. */
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

test('no process, mount, interface, rule, namespace or cgroup is left after a stop, a Ctrl-C at any moment, and kill -9', async () => {
  // It ends with this test, however that ends.
  const command = ['--pdeathsig', 'TERM', process.execPath, 'test/cluster/prove.ts'];
  const { stdout } = await promisify(execFile)('setpriv', command, { timeout: 3_500_000 }).catch(
    (error: { stdout?: string; stderr?: string }) => ({ stdout: `${error.stdout}FAIL ${error.stderr}` }),
  );
  const lives = stdout.split('\n').filter((line) => /^(ok|FAIL) /.test(line));
  process.stderr.write(stdout);
  expect(lives.filter((line) => !line.startsWith('ok'))).toEqual([]);
  expect(lives.length).toBeGreaterThanOrEqual(15);
}, 3_600_000);
