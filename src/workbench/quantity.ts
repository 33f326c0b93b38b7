/** Kubernetes quantities ("500m", "4Gi"), as far as sizes of workbenches need them. */
const FACTORS: Record<string, number> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const QUANTITY = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/** The number that a quantity stands for (cores, bytes), or undefined if the text is none. */
export function parseQuantity(text: string): number | undefined {
  const match = QUANTITY.exec(text);
  return match ? Number(match[1]) * FACTORS[match[2] ?? '']! : undefined;
}

export function isPositiveQuantity(text: string): boolean {
  return (parseQuantity(text) ?? 0) > 0;
}

/** Of two quantities; one that is not there bounds nothing. */
export function isLess(one: number | string | undefined, other: number | string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return parseQuantity(String(one))! < parseQuantity(String(other))!;
}
