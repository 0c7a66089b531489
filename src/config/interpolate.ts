/**
 * Fills in `${NAME}` from the environment; `$${` stands for `${`. What a variable holds is taken as it is: it is neither
 * searched for more variables nor read as YAML.
 * @returns the text, and one message for each thing that is wrong with it
 */
export function interpolate(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly problems: readonly string[] } {
  const problems = new Set<string>();
  const filled = text.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (found, name: string | undefined, end: string | undefined) => {
      if (name === undefined) return '${';
      if (end !== '}') {
        problems.add(`a \${ is never closed: write \${NAME}, or $\${ for a plain \${`);
        return found;
      }
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
        problems.add(
          `\${…} must hold the name of an environment variable and nothing else; $\${ stands for a plain \${`,
        );
        return found;
      }
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value === undefined) problems.add(`the environment variable ${name} is not set`);
      return value ?? found;
    },
  );
  return { text: filled, problems: [...problems] };
}
