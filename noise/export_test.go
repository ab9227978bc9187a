package noise

// Philox4x32 is the generator under the published known answers.
var Philox4x32 = philox4x32
