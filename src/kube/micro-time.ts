/** V1MicroTime: six decimals. @param ms wall clock @param micros 0 to 999 within that millisecond */
export function microTime(ms: number, micros = 0): string {
  return new Date(ms).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
