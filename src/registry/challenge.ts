/** What a registry asks for before it answers (RFC 9110, 11.6.1), of all that it offers the one that a puller would take. */
export interface Challenge {
  scheme: 'bearer' | 'basic';
  realm?: string;
  service?: string;
}

export function parseChallenge(header: string | string[] | undefined): Challenge | undefined {
  const challenges = [header ?? []].flat().flatMap(split);
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
}

function split(header: string): Challenge[] {
  const found: Challenge[] = [];
  // A scheme, or one of its parameters.
  for (const [, scheme, name, quoted, plain] of header.matchAll(
    /(?:^|,)\s*([A-Za-z]+)(?=\s+[A-Za-z]|\s*$)|([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g,
  )) {
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase() as Challenge['scheme'] });
    else if (/^(realm|service)$/i.test(name!) && found.length > 0)
      found.at(-1)![name!.toLowerCase() as 'realm'] = quoted?.replace(/\\(.)/g, '$1') ?? plain!;
  }
  return found;
}
