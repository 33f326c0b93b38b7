/** Which image a workbench runs: is the reference well-formed, is it allowed, and which digest was recorded. */

/** An image, and who may pull it: names of Secrets. */
export interface ImageSource {
  image: string;
  secrets?: readonly string[];
}

/** host[:port]/path[:tag][@sha256:…], in a form that RE2 (CEL) and JavaScript read alike. */
export const IMAGE_REFERENCE =
  '^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*' +
  '(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?(@sha256:[a-f0-9]{64})?$';

const DIGEST = /@(sha256:[a-f0-9]{64})$/;

/** The reference without its tag and digest: "localhost:5000/lab:v1" → "localhost:5000/lab". */
export function repository(image: string): string {
  const name = image.replace(/@.*$/, '');
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** Where an image is to be asked for: "lab" → docker.io, library/lab, latest. Without a host in it, it is Docker Hub's. */
export function locate(image: string): { registry: string; repository: string; reference: string } {
  const name = repository(image);
  const [first, ...rest] = name.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first!) || first === 'localhost');
  const registry = hasHost ? first! : 'docker.io';
  const path = hasHost ? rest.join('/') : name;
  return {
    registry,
    repository: registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path,
    reference: digestOf(image) ?? (image.slice(name.length + 1) || 'latest'),
  };
}

/** The digest in "repo@sha256:…"; undefined for a bare image id, which no registry can be asked for. */
export function digestOf(imageID: string | undefined): string | undefined {
  return DIGEST.exec(imageID ?? '')?.[1];
}

/** `*` stands for any characters but "/" and "@": a star for tags must not let a digest in. Everything else for itself. */
function matches(pattern: string, text: string): boolean {
  const [wanted, given] = [pattern, text].map((one) => one.split(/([/@])/)) as [string[], string[]];
  return wanted.length === given.length && wanted.every((part, index) => fits(part, given[index]!));
}

/** Each piece at the first place where it fits, so that no text keeps it busy: a regular expression would try them all. */
function fits(pattern: string, text: string): boolean {
  const [first, ...others] = pattern.split('*') as [string, ...string[]];
  const last = others.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let end = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, end);
    if (found < 0) return false;
    end = found + piece.length;
  }
  return text.length - last.length >= end && text.endsWith(last);
}

/**
 * Whether an author may run this image. A pattern without a tag speaks of the repository, so any tag or digest is allowed;
 * one with a tag or digest must match the whole reference. No patterns: only the installation's own repository.
 */
export function isAllowed(image: string, settings: { image: string; allowedImages: readonly string[] }): boolean {
  if (image === settings.image) return true;
  const patterns = settings.allowedImages.length > 0 ? settings.allowedImages : [repository(settings.image)];
  return patterns.some((pattern) => matches(pattern, image) || matches(pattern, repository(image)));
}
