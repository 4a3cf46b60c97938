export const actionIcons = { retry: "retry", "run-now": "play", reprioritise: "priority", cancel: "cancelled", delete: "trash", rerun: "edit" } as const;
