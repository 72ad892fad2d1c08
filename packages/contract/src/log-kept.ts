// How long what is published of the audit log is kept.

/**
 * Seven years with their leap days. The Security Rule asks for six (45 CFR 164.316(b)(2)(i)), counted from when something
 * was last in effect.
 */
export const logKeptDays = 2557
