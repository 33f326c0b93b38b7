/** What jest has written of a run, counted; failures again as paragraphs for the end of a long log. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export interface Counts {
  passed: number;
  failed: number;
  skipped: string[];
  /** One paragraph per failure, to be read again at the end of a long log. */
  failures: string[];
}

/** What jest writes of a run; a file that does not even load counts as one failure. */
interface JestResult {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/** @param file that jest's --outputFile named */
export function countsOf(project: string, file: string): Counts {
  const result = read(file);
  if (!result)
    return { passed: 0, failed: 1, skipped: [], failures: [`all of ${project}: jest ended without a result`] };
  const pending = result.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'pending'),
  );
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: pending.map(({ fullName }) => `${fullName}: switched off in its file`),
    failures: failuresOf(result),
  };
}

function failuresOf({ testResults }: JestResult): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && failed.length === 0) return [paragraph(file, message)];
    return failed.map(({ fullName, failureMessages }) =>
      paragraph(`${file} › ${fullName}`, failureMessages.join('\n')),
    );
  });
}

/** Without colours, and of the stack only our own files. */
function paragraph(title: string, message: string): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => !line.includes('node_modules'))
    .slice(0, 30);
  return `failed: ${title}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function read(file: string): JestResult | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JestResult;
  } catch {
    process.stderr.write('jest ended without a result; this counts as a failure\n');
    return undefined;
  }
}
