/** What clients are answered, as schemas: the API's description is made from them, and the tests hold every answer against them. */
import * as z from 'zod';
import { PERMISSIONS, PHASES } from '../workbench/resource.ts';
import type { Phase } from '../workbench/resource.ts';

const time = z.string().meta({ format: 'date-time' });
const quantity = z.string().meta({ description: 'A Kubernetes quantity.', examples: ['2', '500m', '4Gi'] });
export const STATUSES = PHASES.map((phase) => phase.toLowerCase() as Lowercase<Phase>);

/** Unknown values are absent, not null. */
export const itemSchema = z.strictObject({
  user_id: z.string().meta({ description: 'Its owner.' }),
  workbench_id: z.string(),
  workbench_name: z.string().optional().meta({ description: 'A name for people.' }),
  status: z.enum(STATUSES).meta({
    description: 'running: a browser that opens public_endpoint now gets the workbench. failed: needs a person.',
  }),
  status_reason: z
    .string()
    .optional()
    .meta({ description: 'One CamelCase word: why the status is not the one that was asked for.' }),
  status_message: z.string().optional().meta({ description: 'One sentence that says what to do.' }),
  public_endpoint: z.string().meta({ description: 'Where a browser opens it, once it runs.' }),
  class: z.string().optional(),
  version: z.string().optional(),
  image: z.string().meta({ description: 'What was asked for, by its tag.' }),
  image_digest: z.string().optional().meta({ description: 'What runs.' }),
  requested_cpu: quantity.optional(),
  requested_memory: quantity.optional(),
  requested_gpu: z.int().min(0).optional(),
  created_at: time.optional(),
  started_at: time.optional(),
  restart_required: z.boolean().optional().meta({ description: 'The next start will be different from what runs.' }),
  newer_image: z.boolean().optional().meta({ description: 'The tag of its image stands for another digest by now.' }),
  storage: z
    .strictObject({
      volume_id: z.string(),
      size: z.string(),
      message: z.string().optional().meta({ description: 'Why it has not the size that was asked for.' }),
    })
    .optional()
    .meta({ description: 'The volume with its files. Absent: they live as long as its Pod.' }),
  permission: z
    .enum(PERMISSIONS)
    .optional()
    .meta({ description: "What its owner lets the user do who asks. Absent: it is that user's own." }),
});

export type Item = z.infer<typeof itemSchema>;

export const shareItemSchema = z.strictObject({
  user_id: z.string().meta({ description: 'Whom it is shared with.' }),
  permission: z.enum(PERMISSIONS),
});

export type ShareItem = z.infer<typeof shareItemSchema>;

export const volumeSchema = z.strictObject({
  user_id: z.string(),
  volume_id: z.string(),
  status: z.enum(['pending', 'in_use', 'idle', 'kept', 'lost', 'deleting']).meta({
    description: 'in_use: mounted by a Pod. idle: its workbench does not run. kept: no workbench has it.',
  }),
  size: quantity.optional(),
  storage_class: z.string().optional(),
  workbench_id: z.string().optional().meta({ description: 'The one that has it.' }),
  retention: z.enum(['retain', 'delete']).meta({ description: 'Whether it goes with that workbench.' }),
  created_at: time.optional(),
});

export type Volume = z.infer<typeof volumeSchema>;

export const errorSchema = z.strictObject({
  success: z.literal(false),
  error: z.strictObject({
    message: z.string().meta({ description: 'One sentence that a person can act on.' }),
    reason: z.string().meta({ description: 'One CamelCase word for programs.' }),
  }),
});
