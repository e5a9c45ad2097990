// The folder inside a data folder in which a restore puts its files before they are in place. While it is
// there, the data folder is neither empty nor a host's.

export const restoringName = "restoring";
