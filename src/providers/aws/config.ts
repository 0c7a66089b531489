import { z } from 'zod';

/** Fields of an AWS target beside `name`, `provider`, `schedule` and `services`, which every target has. */
export const AwsTargetFields = {
  regions: z
    .array(z.string().regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, { error: 'expected an AWS region such as eu-west-1' }))
    .min(1),
  profile: z.string().min(1).optional(),
  roleArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, {
      error: 'expected a role ARN such as arn:aws:iam::111122223333:role/keyvigil',
    })
    .optional(),
  externalId: z.string().min(2).optional(),
  /** Serves every API of the target, STS included. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
};

/** Options that every AWS service has. */
export const AwsServiceFields = {
  schedule: z.string().optional(),
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
};
