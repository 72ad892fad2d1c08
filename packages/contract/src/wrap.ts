// A data key, or the secret of a recording, wrapped by a KMS key: how it stands in a header and in the catalog.
import { z } from 'zod'

export const Wrap = z.strictObject({
  /** Which kind of KMS wrapped it: `local` or `gcp`. */
  kms: z.string().min(1).max(32),
  /** The KMS key's full name. */
  key: z.string().min(1).max(512),
  keyVersion: z.string().min(1).max(512),
  /** `SOFTWARE`, `HSM`, ... as the KMS states it. */
  protection: z.string().min(1).max(32),
  /**
   * Number of the rule that made the additional authenticated data (sealed-object format), which also says what is
   * wrapped. 1: one object's data key. 2: the secret of a recording, out of which its objects' data keys are derived.
   */
  aad: z.literal([1, 2]),
  /** base64url without padding. */
  wrapped: z.string().min(1).max(8192),
  createdAt: z.iso.datetime(),
})
export type Wrap = z.infer<typeof Wrap>
