/** The parts of the native addon's entry point that this package calls; the package ships no types. */
declare module 'secp256k1/bindings.js' {
  interface NativeSecp256k1 {
    privateKeyVerify(secretKey: Uint8Array): boolean;
    publicKeyCreate(secretKey: Uint8Array, compressed: boolean): Uint8Array;
    ecdsaSign(digest: Uint8Array, secretKey: Uint8Array): { readonly signature: Uint8Array };
    ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  }
  const bindings: NativeSecp256k1;
  export default bindings;
}
