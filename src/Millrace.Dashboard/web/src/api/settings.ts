// The settings in force, as the API tells them.

export interface Setting {
  name: string;
  value: string;
  source: "default" | "application" | "environment";
}

export interface SettingGroup {
  of: "dashboard" | "workers";
  application?: string;
  nodes: number;
  names: string[];
  settings: Setting[];
}

export interface Settings {
  groups: SettingGroup[];
}
