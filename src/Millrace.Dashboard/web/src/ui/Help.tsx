import { shortcuts } from "../state/settings.ts";
import { t } from "../text.ts";
import { close, Dialog, show } from "./Dialog.tsx";

export function openHelp(): void {
  show(() => <Help />);
}

function Help() {
  return (
    <Dialog title={t.help.title} onClose={close} class="wide help">
      <label class="check"><input type="checkbox" checked={shortcuts.value === "on"} onChange={event => { shortcuts.value = event.currentTarget.checked ? "on" : "off"; }} />{t.help.enabled}</label>
      <div class="columns">
        {(["everywhere", "list", "job"] as const).map(group => (
          <section key={group}>
            <h3>{t.help.groups[group]}</h3>
            <dl class="keys">{t.help.keys[group].map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
