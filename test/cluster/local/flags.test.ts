import { expect, test } from '@jest/globals';
import { parseLocalFlags } from './flags.ts';

const none = { down: false, help: false, install: true };

test.each([
  [[], none],
  [['--down'], { ...none, down: true }],
  [['-h'], { ...none, help: true }],
  [['--no-install'], { ...none, install: false }],
  [['--kubeconfig', 'a'], { ...none, kubeconfig: 'a' }],
  [['--ide', 'jupyter'], { ...none, ide: 'jupyter' }],
  [['--ide=echo'], { ...none, ide: 'echo' }],
  [['--no-install', '--kubeconfig=a'], { ...none, install: false, kubeconfig: 'a' }],
])('%j is understood', (args, flags) => {
  expect(parseLocalFlags(args)).toEqual(flags);
});

test.each([[['--kubeconfig']], [['--kubeconfig', '--down']], [['--kubeconfig=']]])('%j lacks its file', (args) => {
  expect(() => parseLocalFlags(args)).toThrow('path of a kubeconfig');
});

test.each([[['--ide']], [['--ide', 'vscode']], [['--ide=']], [['--ide', '--down']]])(
  '%j names no ide that there is',
  (args) => {
    expect(() => parseLocalFlags(args)).toThrow('--ide wants one of echo, jupyter after it');
  },
);

test('an ide is not pushed to a cluster that somebody gave', () => {
  expect(() => parseLocalFlags(['--ide', 'jupyter', '--kubeconfig', 'a'])).toThrow('WORKBENCH_IMAGE');
});

test.each([[['--dwon']], [['down']]])('%j is refused by name, with what there is', (args) => {
  expect(() => parseLocalFlags(args)).toThrow(new RegExp(`"${args[0]}"[^]*--no-install`));
});
