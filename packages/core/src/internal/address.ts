/**
 * What a request can be aimed at: whatever addresses a process, or a place in a tree.
 *
 * @internal
 */
import type * as Name from "../Name.ts"
import { Entry, type ProcessTable } from "./processTable.ts"
import { resolve, show } from "./resolve.ts"

/** Where a supervisor keeps the current incarnation of one child. */
export interface Place {
  readonly shown: string
  pid: Entry | undefined
}

export type Address = Name.AnyTarget | Place

const isPlace = (address: Address): address is Place => typeof address === "object" && "shown" in address

export const locate = (table: ProcessTable, address: Address): Entry | undefined => {
  if (address instanceof Entry) return address
  return isPlace(address) ? address.pid : resolve(table, address)
}

/** The same where it takes no table of names. */
export const locateNow = (address: Address): Entry | undefined =>
  address instanceof Entry ? address : isPlace(address) ? address.pid : undefined

export const showAddress = (address: Address): string => isPlace(address) ? address.shown : show(address)

/** Where a client that has no pid keeps whom it reaches. */
export const AddressTypeId = "~@effect-otp/core/address"

/** Whom a client reaches, if it is one. */
export const addressOf = (client: object): Address | undefined =>
  (client as { readonly [AddressTypeId]?: Address })[AddressTypeId]
