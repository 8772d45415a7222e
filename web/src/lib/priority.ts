// How alarms look by priority 1, 2, 3: colour, shape and word, never colour alone.

export const PRIORITIES = ["p1", "p2", "p3"];
export const SHAPES = ["■", "▲", "●"];
export const WORDS = ["now", "within minutes", "this shift"];
