/** The names of environment variables that the controller sets itself; an author's value for one is refused. */
export const RESERVED_ENV = '^(WORKBENCH_.*|KUBERNETES_.*|WORKSPACE_PATH|JUPYTER_BASE_URL)$';

const reserved = new RegExp(RESERVED_ENV);

export function isReservedEnv(name: string): boolean {
  return reserved.test(name);
}

/** The kubelet expands `$(NAME)` in values; what a person wrote must arrive as it was written. */
export function literal(value: string): string {
  return value.replaceAll('$', '$$$$');
}
