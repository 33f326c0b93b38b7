/** `npm run build`: the one file that runs in the image, and the page of the API beside it. */
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { outfile: { type: 'string', default: 'dist/main.mjs' }, minify: { type: 'boolean', default: true } },
  allowNegative: true,
});

/**
 * client-node's models are registered by assignments, which esbuild cannot know to be for nobody where only its KubeConfig is
 * used. Left in, they are 14 MB of the process.
 */
const withoutModels: Plugin = {
  name: 'without-models',
  setup(bundling) {
    bundling.onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === withoutModels || !from.importer.includes('client-node')) return undefined;
      const resolved = await bundling.resolve(path, { ...from, pluginData: withoutModels });
      return resolved.path.includes('/gen/models/') ? { ...resolved, sideEffects: false } : undefined;
    });
  },
};

await build({
  entryPoints: ['src/main.ts'],
  outfile: values.outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: values.minify,
  keepNames: true,
  banner: { js: `import{createRequire}from'node:module';const require=createRequire(import.meta.url);` },
  // In a file of their own: one letter beyond ASCII in them would double the size of the whole in memory.
  legalComments: 'linked',
  logLevel: 'warning',
  plugins: [withoutModels],
});

const page = join(dirname(values.outfile), 'swagger-ui');
for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css'])
  cpSync(`node_modules/swagger-ui-dist/${file}`, join(page, file));
