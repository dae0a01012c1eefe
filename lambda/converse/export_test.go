package converse

// LingerTime is how long a whole answer waits for the end of its connection's.
const LingerTime = lingerTime
