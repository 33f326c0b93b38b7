/** A page to read about the API and to try it: Swagger UI, all of it served from here. */
import { existsSync } from 'node:fs';
// Under another name: the bundle's banner has this one.
import { createRequire as requireFrom } from 'node:module';
import { dirname, join } from 'node:path';
import express from 'express';
import type { RequestHandler, Router } from 'express';

/** Of the package, the two files that the page needs. */
const FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];

/** Icons are in the style sheet as data. Nothing is fetched from anywhere else, and no other page may frame this one. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** By relative addresses, so that it does not matter under which path a proxy shows it. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Workbench Controller</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** The validator would be asked at an address of the makers of Swagger UI. */
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#page', validatorUrl: null, deepLinking: true });\n`;

/** Beside the bundle in the image, else where npm has put them. */
function folder(): string {
  const beside = join(import.meta.dirname, 'swagger-ui');
  if (existsSync(beside)) return beside;
  return dirname(requireFrom(import.meta.url).resolve('swagger-ui-dist/package.json'));
}

/** To be used at /docs. Looked for when they are first asked for: an installation without the files lacks this page and nothing else. */
export function docs(): Router {
  const router = express.Router({ caseSensitive: true });
  const guarded: RequestHandler = (_request, response, next) => {
    response.set({
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    next();
  };
  router.get('/', guarded, (request, response) => {
    // Behind a slash its relative addresses would lead elsewhere.
    if (request.originalUrl.split('?')[0]!.endsWith('/')) return response.redirect(308, '../docs');
    response.type('html').send(PAGE);
  });
  router.get('/start.js', guarded, (_request, response) => void response.type('js').send(START));
  router.get(
    FILES.map((file) => `/${file}`),
    guarded,
    (request, response) => {
      response.sendFile(request.path.slice(1), { root: folder(), maxAge: '1 day', acceptRanges: false });
    },
  );
  return router;
}
