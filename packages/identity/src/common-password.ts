// Whether a password is made of nothing but what is guessed first, without asking anybody: a list of words, offline.
import { commonWords } from './common-words.ts'

const words = commonWords.map(word => [...word])

/** What people write for a letter. */
const lookAlikes: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'il',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'il',
  '|': 'il',
  '+': 't',
  '€': 'e',
}

/**
 * Whether nothing is left when common words (also with look-alikes: `p@ssw0rd`), digits, signs, spaces and repeated
 * characters are taken away: `password2026!!`, `welcome welcome 1`. A word beside them that is not common is enough.
 * Expects lower case.
 */
export function isCommonPassword(text: string): boolean {
  const characters = [...text]
  /** For each place, whether the characters before it are made that way: with a word, or without one so far. */
  const withWord = new Array<boolean>(characters.length + 1).fill(false)
  const without = new Array<boolean>(characters.length + 1).fill(false)
  without[0] = true
  for (let i = 0; i < characters.length; i++) {
    if (!withWord[i] && !without[i]) continue
    const next = i + fillersAt(characters, i)
    if (next > i) {
      withWord[next] ||= withWord[i] === true
      without[next] ||= without[i] === true
    }
    for (const word of words) if (isWordAt(characters, i, word)) withWord[i + word.length] = true
  }
  return withWord[characters.length] === true
}

/** How many characters from here say nothing: one that is no letter or repeats the last, or three or more alike. */
function fillersAt(characters: readonly string[], at: number): number {
  const character = characters[at] ?? ''
  if (!/^\p{L}/u.test(character) || character === characters[at - 1]) return 1
  let end = at + 1
  while (characters[end] === character) end += 1
  return end - at > 2 ? end - at : 0
}

function isWordAt(characters: readonly string[], at: number, word: readonly string[]): boolean {
  return word.every((letter, i) => {
    const character = characters[at + i]
    return (
      character === letter || (character !== undefined && lookAlikes[character]?.includes(letter) === true)
    )
  })
}
