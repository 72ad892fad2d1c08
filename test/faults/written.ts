// The page as it stands in the tree, to be held against what a run would write.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export async function writtenPage(): Promise<string> {
  return await readFile(join(import.meta.dirname, '../../docs/faults.md'), 'utf8')
}

/** From the heading of that name to the next of its kind. '' where there is none. */
export async function writtenSection(name: string): Promise<string> {
  const sections = (await writtenPage()).split(/^(?=## )/m)
  return sections.find(section => section.startsWith(`## ${name}\n`))?.trim() ?? ''
}
