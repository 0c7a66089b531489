import { describe, expect, it } from 'vitest';
import { AwsTargetFields } from '../../../src/providers/aws/config.ts';

describe('regions', () => {
  it.each(['eu-west-1', 'us-gov-west-1', 'cn-north-1', 'us-iso-east-1', 'ap-southeast-5', 'eusc-de-east-1'])(
    '%s is one',
    (region) => {
      expect(AwsTargetFields.regions.safeParse([region]).success).toBe(true);
    },
  );

  it.each(['eu-west', 'euwest1', 'EU-WEST-1', 'eu-west-1a', 'eu-west-1.evil.example.com', ''])(
    '%s is none',
    (region) => {
      expect(AwsTargetFields.regions.safeParse([region]).success).toBe(false);
    },
  );
});
