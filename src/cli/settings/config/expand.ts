/** `${NAME}`, `${NAME:-DEFAULT}` and `${file:PATH}` in the strings of a configuration file. */

/** Where values come from; each throws for what is not there. */
export interface Values {
  readonly variable: (name: string) => string | undefined
  /** Without the line end after it. */
  readonly file: (path: string) => string
  readonly fault: (what: string) => Error
}

export interface Expanded {
  readonly text: string
  /** From a file, so that it is never printed. */
  readonly isSecret: boolean
}

const isInUrl = (before: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(before)

/**
 * `$${` is a literal `${`. A variable may hold any part of a URL, so it is taken as it is; a file holds one
 * secret, which is encoded within a URL.
 */
export function expand(template: string, { variable, file, fault }: Values): Expanded {
  let isSecret = false
  const text = template.replaceAll(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (_, inner: string | undefined, end: string, at: number) => {
      if (inner === undefined) return '${'
      const [, path] = /^file:(.+)$/s.exec(inner) ?? []
      const [, name, preset] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inner) ?? []
      if (end === '' || (path === undefined && name === undefined))
        throw fault('${ begins neither ${NAME}, ${NAME:-DEFAULT} nor ${file:PATH}; a literal ${ is $${')
      if (path !== undefined) {
        isSecret = true
        return isInUrl(template.slice(0, at)) ? encodeURIComponent(file(path)) : file(path)
      }
      const value = variable(name as string) ?? preset
      if (value === undefined)
        throw fault(`the environment variable ${name} is not set, and there is no default: \${${name}:-…}`)
      return value
    },
  )
  return { text, isSecret }
}
