/** What the server wrote into the shell. */
export interface Boot {
  mount: string;
  title: string;
}

function read(): Boot {
  const text = document.getElementById("boot")?.textContent;
  const given = text ? JSON.parse(text) as Partial<Boot> : {};
  return { mount: given.mount ?? "", title: given.title ?? "Millrace" };
}

export const boot = read();

/** The address everything hangs from: the shell's <base>, so a path base or a proxy's prefix is already in it. */
export const base = new URL(".", document.baseURI);
