/** Progress for people: each line with the seconds since the first, on stderr so that stdout stays for results. */
export function elapsedReport(): (line: string) => void {
  const started = Date.now();
  return (line) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`[${seconds} s] ${line}\n`);
  };
}
