package codec_test

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/troupe-go/troupe/codec"
)

type Order struct {
	ID    int
	Items []string
}

func Example() {
	data, err := codec.Msgpack.Append(nil, Order{ID: 7, Items: []string{"tea"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var order Order
	if err := codec.Msgpack.Decode(data, &order); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", order)

	// What can't be sent is refused before it is.
	type Session struct {
		User  string
		token string
	}
	_ = Session{}.token
	fmt.Println(codec.Msgpack.Check(reflect.TypeFor[Session]()) != nil)

	// Errors keep their identity by name.
	soldOut := errors.New("shop: sold out")
	if err := codec.RegisterError(soldOut, "shop.sold_out"); err != nil {
		fmt.Println(err)
		return
	}
	name := codec.ErrorName(fmt.Errorf("order 7: %w", soldOut))
	arrived := codec.ErrorByName(name, "order 7: shop: sold out")
	fmt.Println(arrived, errors.Is(arrived, soldOut))
	// Output:
	// {ID:7 Items:[tea]}
	// true
	// order 7: shop: sold out true
}
