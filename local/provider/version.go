package provider

// Version is that of the AWS provider whose SDK the program uses: the engine
// looks for a plugin of just that version.
const Version = "6.83.2"
