/**
 * What the clouds charge for API calls, and when that was looked up: list prices in US dollars per 10,000 calls, without free
 * tiers, discounts and taxes. Nothing else in keyvigil knows a price.
 */

/** When these were last looked up: ISO 8601. */
export const PRICES_AS_OF = '2026-11-22';

/**
 * "$0.05 per 10,000 API calls", whatever the call, a refused one included. aws.amazon.com/secrets-manager/pricing
 */
export const SECRETS_MANAGER = 0.05;

/**
 * "$0.03 per 10,000 requests" for every request but asymmetric cryptography, which keyvigil never asks for; 20,000 requests a
 * month are free and not taken off here. aws.amazon.com/kms/pricing
 */
export const KMS = 0.03;

/**
 * Reading a value has it decrypted, and under a customer-managed key KMS charges the reader's account for that. Under
 * `aws/secretsmanager` it is free, so this is the most that it can be. Both pages above.
 */
export const SECRETS_MANAGER_READ = SECRETS_MANAGER + KMS;

/** REST APIs of API Gateway: "$3.50 per million" calls in the first tier of us-east-1 and eu-west-1. aws.amazon.com/api-gateway/pricing */
export const API_GATEWAY = 0.035;

/**
 * "$0.03 per 10,000 transactions". Operations with advanced keys (RSA of 3072 bits and more, EC) cost $0.15; the page does not
 * say that reading metadata of one is such an operation. Managed HSMs are paid by the hour, so for theirs this is too much.
 * azure.microsoft.com/pricing/details/key-vault
 */
export const KEY_VAULT = 0.03;

/**
 * Calls that nobody is charged for: Resource Manager (learn.microsoft.com, Azure Resource Manager overview); STS, IAM and the
 * calls that list and describe MediaConnect's flows, CodeBuild's projects and API Gateway's stages, whose pricing pages charge for
 * what runs there; names that are resolved.
 */
export const FREE = 0;
