import { afterEach, describe, expect, test } from '@jest/globals';
import { Images } from '../../src/controller/images.ts';
import { RegistryError } from '../../src/registry/registry.ts';

const LAB = { image: 'registry.example/lab:latest' };

let images: Images;
afterEach(() => images.forgetAll());

/** A registry that answers when it is told to, and what became of it. */
function world(everyMs = 0) {
  const asked: {
    image: string;
    secrets: readonly string[] | undefined;
    answer: (digest: string) => void;
    fail: (error: Error) => void;
  }[] = [];
  const changed: string[] = [];
  const problems: string[] = [];
  images = new Images({
    registry: {
      digest: (image, secrets) =>
        new Promise((resolve, reject) => {
          asked.push({ image, secrets, answer: resolve, fail: reject });
        }),
    },
    everyMs,
    onChange: (key) => changed.push(key),
    onProblem: (registry, { message }) => problems.push(`${registry}: ${message}`),
  });
  return { asked, changed, problems };
}

/** Until whatever is ready to go on has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a start', () => {
  test('that comes while a question is out is answered by the next one, which may know of a newer push', async () => {
    const { asked } = world();
    const first = images.resolve(LAB);
    await settled();
    const [second, third] = [images.resolve(LAB), images.resolve(LAB)];
    await settled();
    expect(asked).toHaveLength(1);
    asked[0]!.answer('one');
    expect(await first).toBe('one');
    await settled();
    expect(asked).toHaveLength(2);
    asked[1]!.answer('two');
    expect(await Promise.all([second, third])).toEqual(['two', 'two']);
    void images.resolve(LAB);
    await settled();
    expect(asked).toHaveLength(3);
  });

  test('asks for another image, or with other passwords, at once', async () => {
    const { asked } = world();
    void images.resolve(LAB);
    void images.resolve({ ...LAB, secrets: ['pull'] });
    void images.resolve({ image: 'registry.example/lab:v2' });
    await settled();
    expect(asked.map(({ image, secrets }) => [image, ...(secrets ?? [])])).toEqual([
      ['registry.example/lab:latest'],
      ['registry.example/lab:latest', 'pull'],
      ['registry.example/lab:v2'],
    ]);
  });

  test('is not held up again by a registry of which nothing was heard; others are asked', async () => {
    const { asked, problems } = world();
    const first = images.resolve(LAB);
    await settled();
    asked[0]!.fail(new RegistryError('timeout', { isSilent: true }));
    expect(await first).toBeUndefined();
    expect(await images.resolve({ image: 'registry.example/other:v1' })).toBeUndefined();
    void images.resolve({ image: 'elsewhere.example/lab' });
    await settled();
    expect(asked.map(({ image }) => image)).toEqual([LAB.image, 'elsewhere.example/lab']);
    expect(problems).toEqual(['registry.example: timeout']);
  });

  test('asks again a registry that knew no such tag', async () => {
    const { asked } = world();
    const first = images.resolve(LAB);
    await settled();
    asked[0]!.fail(new RegistryError('it answered 404'));
    expect(await first).toBeUndefined();
    const second = images.resolve(LAB);
    await settled();
    asked[1]!.answer('one');
    expect(await second).toBe('one');
  });
});

describe('what runs', () => {
  test('is asked for once for all that run it, and each is told of a newer one, by whomever it was found', async () => {
    const { asked, changed } = world();
    images.follow('a', LAB);
    images.follow('b', LAB);
    images.follow('a', LAB);
    await settled();
    expect(asked).toHaveLength(1);
    expect(images.newest('a')).toBeUndefined();
    asked[0]!.answer('one');
    await settled();
    expect([changed.splice(0), images.newest('b')]).toEqual([['a', 'b'], 'one']);

    void images.resolve(LAB);
    await settled();
    asked[1]!.answer('one');
    await settled();
    expect(changed).toEqual([]);

    void images.resolve(LAB);
    await settled();
    asked[2]!.answer('two');
    await settled();
    expect([changed, images.newest('a')]).toEqual([['a', 'b'], 'two']);
  });

  test('is asked for again and again, as long as anybody runs it', async () => {
    const { asked } = world(20);
    images.follow('a', LAB);
    while (asked.length < 3) {
      asked.at(-1)?.answer('one');
      await settled();
    }
    images.forget('a');
    asked.at(-1)!.answer('one');
    await settled();
    const count = asked.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(asked).toHaveLength(count);
    expect(images.newest('a')).toBeUndefined();
  });

  test('may become another image', async () => {
    const { asked, changed } = world();
    images.follow('a', LAB);
    images.follow('a', { image: 'registry.example/lab:v2' });
    await settled();
    asked[0]!.answer('one');
    asked[1]!.answer('two');
    await settled();
    expect([changed, images.newest('a')]).toEqual([['a'], 'two']);
  });
});
