import { Component, h, type ComponentType } from "preact";

/** Draws again only when a property is another one. Lists of hundreds of rows are asked to draw every second. */
export function memo<P extends object>(inner: (props: P) => ReturnType<typeof h> | null): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const was = this.props as Record<string, unknown>, will = next as Record<string, unknown>;
      return Object.keys(will).some(key => !isSame(was[key], will[key]));
    }

    override render() {
      return h(inner, this.props as P & object);
    }
  };
}

/** Rows come as new objects with each answer; equal text is the same row. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && typeof b === "object" && a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));
}
